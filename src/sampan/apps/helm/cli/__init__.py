"""The command `sampan helm` (and `helm`): flags as data, one module per group of verbs, output as Helm prints it.

`flags` and `commands` declare, `main` finds and calls, `context` opens the cluster, `output` prints. What may not be here:
what a verb does; the actions have that. Flags of Helm that are not supported yet are declared and refused by name.
"""
