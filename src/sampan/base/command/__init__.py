"""A command line as data: declared commands and flags, one parser, help and shell completion made from the same table.

The dialect is that of kubectl and helm (spf13/cobra and pflag): flags anywhere, `--flag=value`, grouped short flags,
the same usage layout and error texts. What may not be here: any particular command.
Import cost matters more than comfort: no argparse, no dataclasses.
"""

from sampan.base.command.model import Command, Flag, UsageError
from sampan.base.command.parse import Invocation, parse

__all__ = ["Command", "Flag", "Invocation", "UsageError", "parse"]
