"""The commands of `bagtag custody`."""

from __future__ import annotations

import typer

from bagtag.cli.custody.add import add
from bagtag.cli.custody.show import show
from bagtag.cli.custody.sign import sign
from bagtag.cli.custody.transfer import transfer
from bagtag.cli.custody.verify import verify

custody = typer.Typer(help="The chain of custody of an evidence folder.", no_args_is_help=True, rich_markup_mode=None)

for _command, _example in (
    (show, "bagtag custody show DEST"),
    (add, "bagtag custody add DEST copied --to 'Ben Roe' --actor 'Ann Lee'"),
    (transfer, "bagtag custody transfer DEST --from 'Ann Lee' --to 'Ben Roe' --method courier --sign-key ann.key"),
    (sign, "bagtag custody sign DEST --sign-key reviewer.key --signer 'Cy Poe'"),
    (verify, "bagtag custody verify DEST"),
):
    custody.command(epilog=f"Example: {_example}")(_command)
