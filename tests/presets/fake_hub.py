"""A hub on this machine: the part of the Hugging Face Hub's HTTP API that pushes and fetches."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeHub:
    """Its repositories: name -> file -> content. Without a token nobody writes."""

    def __init__(self):
        self.repos, self.requests, self.url = {}, [], None

    def answer(self, method, path, body, token):
        """Status, headers and content of an answer."""
        self.requests.append(f"{method} {path}")
        parts = path.split("?")[0].strip("/").split("/")
        if method == "POST" and not token:
            return 401, {}, b'{"error": "Invalid credentials"}'
        if path == "/api/validate-yaml":
            return self.json({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            given = json.loads(body)
            name = f"{given['organization']}/{given['name']}"
            self.repos.setdefault(name, {})
            return self.json({"url": f"{self.url}/{name}", "id": name})
        name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
        if name not in self.repos:
            return 404, {"X-Error-Code": "RepoNotFound"}, b'{"error": "Repository not found"}'
        files = self.repos[name]
        if parts[0] == "api":
            return self.api(name, files, parts[4] if len(parts) > 4 else "info", body)
        return self.file(files, "/".join(parts[4:]))

    def api(self, name, files, action, body):
        if action == "preupload":
            wanted = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in wanted]
            return self.json({"files": modes})
        if action == "commit":
            for line in map(json.loads, body.decode().splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    files[line["value"]["path"]] = content
            commit = f"{self.url}/{name}/commit/{self.sha(files)}"
            return self.json({"commitUrl": commit, "commitOid": self.sha(files), "hookOutput": ""})
        if action == "tree":
            entries = [
                {"type": "file", "path": p, "size": len(c), "oid": hashlib.sha1(c).hexdigest()}
                for p, c in files.items()
            ]
            return self.json(entries)
        siblings = [{"rfilename": path} for path in files]
        return self.json(
            {"_id": "0", "id": name, "modelId": name, "private": False, "tags": [], "downloads": 0,
             "likes": 0, "sha": self.sha(files), "siblings": siblings}
        )  # fmt: skip

    def file(self, files, path):
        if path not in files:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        etag = hashlib.sha1(files[path]).hexdigest()
        return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": self.sha(files)}, files[path]

    def sha(self, files):
        return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()

    def json(self, value):
        return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def serving(hub):
    """Answer requests at `hub.url`."""

    class Handler(BaseHTTPRequestHandler):
        def respond(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization")
            status, headers, content = hub.answer(self.command, self.path, body, token)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = respond

        def log_message(self, *args):
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
