"""What Caffe's solver prints of a net's outputs: ``Test net output #0: l2 = 0.12 (* 1 = 0.12 loss)``."""

from __future__ import annotations

import re

from runreport.run import Note

OUTPUT = re.compile(
    r"\s{0,8}(train|test) net output #\d{1,4}: ([^\s=]{1,80}) = ([-+]?[\w.+-]{1,30})(?: \(\* ([-+]?[\w.+-]{1,30}) = )?",
    re.IGNORECASE,
)
"""A share of the loss is printed with its weight, any other output (an accuracy) without one."""
TESTING = re.compile(r"\btesting net \(#(\d{1,4})\)", re.IGNORECASE)


class NetOutputs:
    """The outputs of the test net at each of its passes, the shares of its loss summed as the solver sums them in training."""

    def __init__(self) -> None:
        self.shares: set[str] = set()
        self._net = 0
        self._others = 0
        self._sum: float | None = None

    def figures_of(self, line: str) -> dict[str, float] | None:
        """The figures so far on a line of outputs, empty where they are left out; None for any other line.

        Left out: shares of the training's loss, of which the line of the iteration has the sum, and further test nets.
        """
        if "et output #" not in line:
            if "esting net" in line and (testing := TESTING.search(line)) is not None:
                self._net, self._sum = int(testing[1]), None
            return None
        found = OUTPUT.match(line)
        if found is None:
            return None
        try:
            value, weight = float(found[3]), None if found[4] is None else float(found[4])
        except ValueError:
            return {}
        split, name = found[1].lower(), found[2]
        if split == "train":
            return {f"train {name}": value} if weight is None else {}
        if self._net:
            self._others += 1
            return {}
        if weight is None:
            return {f"test {name}": value}
        self.shares.add(name)
        self._sum = (self._sum or 0.0) + weight * value
        return {"test loss": self._sum}

    def notes(self) -> list[Note]:
        """What was summed and what was left out."""
        notes = []
        if len(self.shares) > 1:
            message = f"the test loss is the weighted sum of the net's losses: {', '.join(sorted(self.shares)[:5])}"
            notes.append(Note(code="derived", message=message))
        if self._others:
            notes.append(Note(code="unused", message="figures of further test nets (#1 and on) left out"))
        return notes
