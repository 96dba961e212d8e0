"""Where the time of one analysis with charts goes."""

from __future__ import annotations

from typing import Any

FORMATS = {"md": "Markdown and its pictures", "html": "a page"}
STAGES = {
    "imports": "imports, wherever they happen",
    "reading": "finding and reading the files",
    "metrics and resampling": "metrics, intervals and the audit of the saved epoch, resampled",
    "rules and advice": "rules, criteria and advice",
    "charts": "charts",
    "rendering": "the text",
    "writing": "writing",
    "other": "the interpreter, the command line, what is in no stage",
}


def section(result: dict[str, Any]) -> str:
    """From profile_analyze.json."""
    formats = result["formats"]
    header = " | ".join(f"{FORMATS[form]}, ms | share" for form in formats)
    lines = [f"| processor time of | {header} |", "|---|" + "--:|--:|" * len(formats)]
    for stage, text in STAGES.items():
        cells = [
            f"{1000 * one['stages'][stage]:.0f} | {one['stages'][stage] / one['total_cpu_seconds']:.0%}"
            for one in formats.values()
        ]
        lines.append(f"| {text} | {' | '.join(cells)} |")
    totals = " | ".join(f"{1000 * one['total_cpu_seconds']:.0f} | " for one in formats.values())
    lines.append(f"| all | {totals}|")
    libraries = "; ".join(f"{FORMATS[form]}: {', '.join(one['libraries'])}" for form, one in formats.items())
    return f"""## One analysis with all its charts, stage by stage

`python benchmarks/profile_analyze.py --out benchmarks/results/profile_analyze.json`: `runreport analyze {result["run"]}`, a
process a call, medians of {result["repeats"]}; a stage without those inside it. The page's text holds the script of its charts, which the
first call makes and keeps: its text took {formats["html"]["first_rendering"]:.1f} s. Libraries imported, {libraries}.

{chr(10).join(lines)}
"""
