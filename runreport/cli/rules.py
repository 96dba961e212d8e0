"""``runreport rules`` and ``runreport explain``: the catalogue, out of the code."""

from __future__ import annotations

from typing import Annotated

import typer

from runreport.cli import complete
from runreport.cli.common import fail
from runreport.errors import InputError

RULES_HELP = """List every rule: its id, its severities and what it finds.

Example: runreport rules --markdown > docs/rules.md"""
EXPLAIN_HELP = """Explain one rule: what it means, what is computed, its thresholds and why, what to do.

Example: runreport explain collapse.onset"""


def rules(
    markdown: Annotated[bool, typer.Option("--markdown", help="The whole catalogue as a Markdown page.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The catalogue as JSON.")] = False,
) -> None:
    """Parse, call, print."""
    from runreport.rules.catalogue import catalogue_json, catalogue_markdown
    from runreport.rules.registry import all_rules

    try:
        known = all_rules()
    except InputError as error:
        fail(error)
    if as_json:
        typer.echo(catalogue_json(known), nl=False)
    elif markdown:
        typer.echo(catalogue_markdown(known), nl=False)
    else:
        width = max(len(rule.id) for rule in known)
        for rule in known:
            typer.echo(f"{rule.id:<{width}}  {rule.title}")


def explain(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="A rule id, such as collapse.onset.", autocompletion=complete.rule_ids)
    ],
) -> None:
    """Parse, call, print."""
    from runreport.ingest.columns import near
    from runreport.rules.catalogue import rule_text
    from runreport.rules.registry import all_rules

    try:
        known = {r.id: r for r in all_rules()}
        if rule not in known:
            raise InputError(rule, found="no such rule", expected=near(rule, known), remedy="see `runreport rules`")
    except InputError as error:
        fail(error)
    typer.echo(rule_text(known[rule]), nl=False)
