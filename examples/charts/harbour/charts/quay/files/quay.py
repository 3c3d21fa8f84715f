"""The quay: tells which ships lie there."""

import http.server
import json
import pathlib

SHIPS = pathlib.Path("/app/ships.json")


class Quay(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = json.dumps({"ships": json.loads(SHIPS.read_text())}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


http.server.ThreadingHTTPServer(("0.0.0.0", 8081), Quay).serve_forever()
