"""`login` and `completion`."""

import os
import sys

import click
from click.shell_completion import get_completion_class

from pictrace.cli.common import EXIT_CODES, check_address, json_option, print_json
from pictrace.cli.credentials import Credentials, path, store, stored
from pictrace.client import KEY_VARIABLE, LOCAL_URL, Client


@click.command(epilog=EXIT_CODES)
@click.option("--url", help="Address of the API; asked for if it is missing.")
@json_option
def login(url: str | None, as_json: bool) -> None:
    """Store the address of the API and a key for it, which is asked for, or read from PICTRACE_API_KEY."""
    known = stored()
    url = url or click.prompt("URL", default=known.url if known else LOCAL_URL, err=True)
    check_address(url)
    key = os.environ.get(KEY_VARIABLE) or _ask_for_key()
    with Client(url, key) as api:
        stats = api.stats()
    store(Credentials(url, key or None))
    if as_json:
        print_json({"url": url, "stored": str(path()), "versions": stats["versions"]})
    else:
        click.echo(f"PicTrace {stats['versions']['pictrace']} at {url}. Stored in {path()}.")


def _ask_for_key() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    key: str = click.prompt(
        "API key (empty for an open API)", default="", hide_input=True, show_default=False, err=True
    )
    return key


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands in a shell.

    \b
    bash: eval "$(pictrace completion bash)" in ~/.bashrc
    zsh:  eval "$(pictrace completion zsh)" in ~/.zshrc
    fish: pictrace completion fish > ~/.config/fish/completions/pictrace.fish
    """
    kind = get_completion_class(shell)
    assert kind  # noqa: S101 - the argument is one of click's own shells
    click.echo(kind(context.find_root().command, {}, "pictrace", "_PICTRACE_COMPLETE").source())
