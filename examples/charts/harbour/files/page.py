"""The harbour page: greets, and asks the quay by its DNS name which ships lie there."""

import http.server
import json
import os
import ssl
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def ships() -> list[str]:
    with urllib.request.urlopen(os.environ["QUAY_URL"], timeout=5) as answer:
        return json.load(answer)["ships"]


def config_maps() -> int:
    """How many config maps the page's service account may see: asks the Kubernetes API as itself."""
    with open(f"{ACCOUNT}/token") as file:
        token = file.read()
    with open(f"{ACCOUNT}/namespace") as file:
        namespace = file.read()
    context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    request = urllib.request.Request(
        f"https://{host}:{port}/api/v1/namespaces/{namespace}/configmaps",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=5, context=context) as answer:
        return len(json.load(answer)["items"])


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(200, {"ok": True})
            return
        try:
            body = {
                "greeting": os.environ["GREETING"],
                "pod": os.environ["POD_NAME"],
                "ships": ships(),
                "master": bool(os.environ["PASSWORD"]),
            }
            if self.path == "/api":
                body["configMaps"] = config_maps()
            self.answer(200, body)
        except OSError as error:
            self.answer(502, {"error": str(error)})

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


print("the harbour is open", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Page).serve_forever()
