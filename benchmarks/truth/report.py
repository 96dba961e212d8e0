"""The outcomes as JSON: the summary that is kept, and one line a case for whoever looks into a failure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.truth.outcome import Outcome
from benchmarks.truth.score import OURS, scores


def summary(items: Sequence[Outcome], peers: Mapping[str, str | None], *, quick: bool) -> dict[str, Any]:
    """Scores by source and tool; what the suite held; which other tools were there."""
    out: dict[str, Any] = {"quick": quick, "peers": dict(peers), "sources": {}}
    for source in sorted({item.source for item in items}):
        own = [item for item in items if item.source == source]
        out["sources"][source] = {
            "cases": len(own),
            "kinds": dict(sorted(Counter(item.kind for item in own).items())),
            "tables": dict(sorted(Counter(str(i.traits["table"]) for i in own if "table" in i.traits).items())),
            "tools": {tool: scores(own, tool) for tool in (OURS, *(n for n, v in peers.items() if v))},
        }
    return out


def write_cases(path: Path, items: Sequence[Outcome]) -> None:
    """Every case and what was said of it, a line each."""
    path.write_text("".join(json.dumps(asdict(item)) + "\n" for item in items), encoding="utf-8")
