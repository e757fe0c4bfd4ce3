# What the app runs until it has an image: a plain Python that answers each probe with 204.
# `azd deploy` exchanges the image and keeps the command, so from there on this starts the server.
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

try:
    from switchboard.__main__ import main
except ModuleNotFoundError:

    class Placeholder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(("", int(os.environ["PORT"])), Placeholder).serve_forever()
else:
    sys.exit(main(["serve"]))
