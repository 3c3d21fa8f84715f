"""HTTP/1.1 on asyncio.Protocol with httptools and ssl: a server, client connections, websockets.

Server side: `model` (requests and the four kinds of answer), `serving` (one connection), `server` (listeners, time-outs,
shutdown), `stream` (chunked answers with back-pressure), `channel` (a connection taken over, and splicing two).
`websocket` is RFC 6455: frames without I/O and a session over a channel.
What may not be here: Kubernetes; anything that knows what is served.
RFC 9110, 9112 (HTTP/1.1), 6455 (websocket).
"""
