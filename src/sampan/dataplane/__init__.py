"""Decisions about packets: services to rules, policy to rules, addresses, routes. Pure.

What may not be here: netlink, nftables, an API client; the rooms that execute the rules hold those.
"""
