"""Interfaces that others published, as Python types: OCI, CRI, CNI, CSI, xDS, DNS, BGP. Pure: no I/O.

What may not be here: an implementation of any of them.
"""
