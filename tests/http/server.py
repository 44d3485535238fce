"""A running `nekro serve`, for the checks in this directory: in an empty directory, on a free port."""

import json
import pathlib
import subprocess
import tempfile
import urllib.error
import urllib.request


class Server:
    """Begins to serve, and ends with the `with` block."""

    def __init__(self, program: str, settings: str = "") -> None:
        self.program = str(pathlib.Path(program).resolve())
        self.place = tempfile.TemporaryDirectory()
        pathlib.Path(self.place.name, "nekro.toml").write_text(settings)
        self.start()

    def start(self) -> None:
        arguments = [self.program, "serve", "--listen", "127.0.0.1:0", "--json"]
        self.process = subprocess.Popen(arguments, cwd=self.place.name, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.url = told["listening"]
        self.token = pathlib.Path(self.place.name, told["token_file"]).read_text().strip()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0, "it ends well"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self.place.cleanup()

    def ask(self, method: str, path: str, body: object = None, headers: dict | None = None, raw: bytes | None = None):
        """Returns the status and the body of an answer."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        all_headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, all_headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
