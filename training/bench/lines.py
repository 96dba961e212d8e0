"""The figures as text: what the command prints, and docs/training-performance.md."""

from __future__ import annotations

from typing import Any

LOOP_NAMES = {"plain": "plain loop", "presets": "this loop, as the presets", "fast": "this loop, fastest"}
FAST_GOAL = 5.0
"""The project's goal on a GPU at the source's size: at least this many times the plain loop."""
EXPERIMENT_GOAL_SECONDS = 60.0
"""And there an experiment of run4's size takes less than this."""


def bench_lines(document: dict[str, Any]) -> list[str]:
    """The figures as lines of text."""
    lines = [machine(document), *(f"{name}: {value:.3g}" for name, value in document["probes"].items())]
    for case in document["cases"]:
        lines += ["", size_of(case)]
        for name, loop in case["loops"].items():
            figures = f"{loop['samples_per_second']:9.1f} samples/s  {loop['step_ms']:8.2f} ms a step"
            lines.append(f"  {LOOP_NAMES[name]:27}{figures}")
            if name != "plain":
                lines += [f"    {text}" for text in against(loop)]
        lines += [f"  {sentence}" for sentence in (*sentences(document, case), *goals(document, case))]
    if document["quick"]:
        lines += ["", "A quick run shows that everything works; its figures mean nothing."]
    return lines


def machine(document: dict[str, Any]) -> str:
    """Device and versions, one line."""
    device, versions = document["device"], document["versions"]
    load = "" if device["load_before"] is None else f", load {device['load_before']:g} before"
    what = device["name"] if device["kind"] == "cuda" else f"{device['name']} ({device['instructions']})"
    return (
        f"{device['kind']}: {what}, {device['cores']} cores, {device['threads']} "
        f"{'thread' if device['threads'] == 1 else 'threads'}{load}; torch {versions['torch']}, "
        f"Python {versions['python']}, {document['rounds']} {'round' if document['rounds'] == 1 else 'rounds'}"
    )


def size_of(case: dict[str, Any]) -> str:
    """A case's size."""
    size = case["case"]
    return (
        f"{size['name']}: {size['frames']} × {size['height']} × {size['width']}, batch {size['batch']}, "
        f"{size['samples']} samples an epoch"
    )


def against(loop: dict[str, Any]) -> list[str]:
    """A loop beside the plain one, a line for each clock."""
    return [
        f"by the {clock}: {ratio['median']:.2f} × plain{interval(ratio)}, rounds {ratio['least']:.2f}-"
        f"{ratio['largest']:.2f}: {ratio['verdict']}"
        for clock, ratio in ratios(loop)
    ]


def ratios(loop: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A loop's ratios to the plain one, by clock."""
    found = [("wall clock", loop["times_plain"])]
    if loop["times_plain_processor"] is not None:
        found.append(("processor's time", loop["times_plain_processor"]))
    return found


def interval(ratio: dict[str, Any]) -> str:
    """The interval of a ratio in brackets; nothing where there is none. To 3 digits: 1.00 may lie on either side of 1."""
    return "" if ratio["low"] is None else f" (95 % interval {ratio['low']:.3f}-{ratio['high']:.3f})"


def sentences(document: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """What else was measured of a case, on the fastest settings."""
    clock = " of processor time" if document["clock"] == "processor" else ""
    roof, epoch, cost = case["roofline"], case["epoch"], case["diagnostics"]
    goal = met(cost["share"] < cost["goal"], f"below {100 * cost['goal']:g} %")
    plain, own = case["loops"]["plain"]["first_epoch_loss"], case["loops"]["presets"]["first_epoch_loss"]
    found = [
        f"Losses of the first epoch: plain {plain:.6f}, as the presets {own:.6f}, fastest "
        f"{case['loops']['fast']['first_epoch_loss']:.6f}.",
        f"{100 * roof['share']:.0f} % of the roofline ({roof['bound']}-bound; arithmetic {100 * roof['compute_share']:.0f} %, "
        f"memory {100 * roof['memory_share']:.0f} %): {roof['flops_per_step']:.3g} operations and "
        f"{roof['traffic_bytes_per_step']:.3g} bytes a step.",
        f"A whole epoch with its validation takes {epoch['epoch_seconds']:.3g} s{clock}; "
        f"{epoch['experiment_epochs']} of them {epoch['experiment_seconds']:.3g} s.",
        f"Diagnostics take {100 * cost['share']:.2f} % of a run of {epoch['experiment_epochs']} epochs ({goal}): "
        f"gradient norms each {cost['gradient_every']} steps and the weights' norm "
        f"{100 * cost['norms_share']:.2f} % of an epoch; the training split, evaluated every {cost['train_metrics_every']} "
        f"epochs and after the last (`train_metrics_every` as it is by default), {100 * cost['train_metrics_share']:.0f} % of "
        "an epoch each time.",
    ]
    if epoch["gpu_memory_gib"] is not None:
        found.append(f"Most GPU memory held for tensors: {epoch['gpu_memory_gib']:.2f} GiB.")
    return found


def goals(document: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """Whether the goals on a GPU were met; nothing where they are not about this device or size."""
    if document["device"]["kind"] != "cuda" or case["case"]["name"] != "source":
        return []
    ratio, seconds = case["loops"]["fast"]["times_plain"], case["epoch"]["experiment_seconds"]
    surely = ratio["median"] if ratio["low"] is None else ratio["low"]
    return [
        f"On a GPU: {met(surely >= FAST_GOAL, f'{FAST_GOAL:g} × the plain loop or more')}; "
        f"{met(seconds < EXPERIMENT_GOAL_SECONDS, f'an experiment below {EXPERIMENT_GOAL_SECONDS:g} s')}."
    ]


def met(yes: bool, goal: str) -> str:
    """Goal, and whether it was met."""
    return f"goal {goal}: {'met' if yes else 'missed'}"
