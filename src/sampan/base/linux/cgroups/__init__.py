"""Control groups, v1 and v2, behind one Protocol: `open()` looks at the machine and hands back its filling.

`model` holds the values and the Protocol, `v1` and `v2` what each kernel interface wants. Paths are those below
the hierarchy's root ("/kubepods/pod1"), the same for all controllers.
What may not be here: who puts what into which group.
"""

from sampan.base.linux.cgroups.detect import open as open
from sampan.base.linux.cgroups.model import (
    Hierarchy as Hierarchy,
)
from sampan.base.linux.cgroups.model import (
    Limits as Limits,
)
from sampan.base.linux.cgroups.model import (
    Memory as Memory,
)
