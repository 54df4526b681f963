"""The smallest process a stack can hold: answers /health, and ends or stays ill when its folder says so."""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


def main() -> None:
    if (Path(os.environ["GUANHU_DATA"]) / "broken").exists():
        sys.exit("told to end")
    HTTPServer((os.environ["GUANHU_HOST"], int(os.environ["GUANHU_PORT"])), _Health).serve_forever()


if __name__ == "__main__":
    main()
