"""Exchanges with the API server, compared with what a real kube-apiserver 1.37.2 answered to the same requests.

`cases` are the requests in order, `player` sends them and makes answers comparable, `record` asks a real server and
writes tests/golden/exchanges.json, `test_exchanges` asks ours.
"""
