"""Asks a person at a terminal. Questions go to stderr, so that stdout stays the answer's."""

from __future__ import annotations

import click

from proxy.draft.asking import Question


class Questions:
    """A person; see ``proxy.draft.asking.Asker``."""

    def answer(self, question: Question) -> str | None:
        """What the person says, None for nothing."""
        default = question.default or ("" if question.optional else None)
        said = click.prompt(
            question.words[:1].upper() + question.words[1:],
            default=default,
            show_default=bool(default),
            hide_input=question.hidden,
            err=True,
        )
        return str(said) or None

    def choice(self, words: str, options: tuple[str, ...], flag: str) -> str:  # noqa: ARG002 - for those who are not asked
        """One of the options, by number or name."""
        click.echo(f"{words[:1].upper()}{words[1:]}:", err=True)
        for number, option in enumerate(options, 1):
            click.echo(f"  {number}  {option}", err=True)
        numbers = [str(number) for number in range(1, len(options) + 1)]

        def chosen(said: str) -> str:
            if said not in (*numbers, *options):
                raise click.UsageError(f"give a number from 1 to {len(options)}, or a name")
            return options[int(said) - 1] if said in numbers else said

        return str(click.prompt("Which", value_proc=chosen, err=True))
