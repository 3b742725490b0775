"""The floor that we measure against: the same two hops through nginx with mutual TLS, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.processes import Process, Started, free_port
from smartgov.engines.pki import certificates, keys

NGINX = "/usr/sbin/nginx"
_MAIN = """
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  keepalive_requests 1000000;
  upstream next {{ server 127.0.0.1:{next}; keepalive 512; keepalive_requests 1000000; }}
  server {{
    {server}
    location / {{
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      {location}
    }}
  }}
}}
"""
_CONSUMER = """
      proxy_pass https://next;
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_certificate {home}/own.crt;
      proxy_ssl_certificate_key {home}/own.key;
      proxy_ssl_trusted_certificate {home}/ca.crt;
      proxy_ssl_verify on;
      proxy_ssl_name provider.test;
"""
_PROVIDER = """
    listen 127.0.0.1:{port} ssl;
    ssl_protocols TLSv1.3;
    ssl_certificate {home}/own.crt;
    ssl_certificate_key {home}/own.key;
    ssl_client_certificate {home}/ca.crt;
    ssl_verify_client on;
"""


def present() -> bool:
    """Whether this machine has nginx."""
    return shutil.which(NGINX) is not None


class Floor:
    """Two nginx processes in `folder`: one takes plain HTTP, the other passes on to the register."""

    def __init__(self, folder: Path, register_port: int, started: Started) -> None:
        self._port, between = free_port(), free_port()
        authority = certificates.CertificateAuthority.create(_made(folder / "authority"), "bench")
        for name in ("consumer", "provider"):
            equip(folder / name, name, authority)
        consumer, provider = folder / "consumer", folder / "provider"
        listen = f"listen 127.0.0.1:{self._port};"
        self._write(consumer, next=between, server=listen, location=_CONSUMER.format(home=consumer))
        listen = _PROVIDER.format(home=provider, port=between)
        self._write(provider, next=register_port, server=listen, location="proxy_pass http://next;")
        self._processes = [
            started.add(self._start(home, port)) for home, port in ((consumer, self._port), (provider, between))
        ]
        for process in self._processes:
            process.wait_ready()

    @property
    def pids(self) -> list[int]:
        """The two processes."""
        return [process.pid for process in self._processes]

    @property
    def urls(self) -> list[str]:
        """Where the first hop takes requests."""
        return [f"http://127.0.0.1:{self._port}"]

    @staticmethod
    def _write(home: Path, **values: object) -> None:
        (home / "nginx.conf").write_text(_MAIN.format(home=home, **values))

    @staticmethod
    def _start(home: Path, port: int) -> Process:
        command = [NGINX, "-p", str(home), "-e", str(home / "error.log"), "-c", str(home / "nginx.conf")]
        return Process(command, port, home / "output.log")


def equip(home: Path, name: str, authority: certificates.CertificateAuthority) -> Path:
    """Key, certificate for `<name>.test` and the authority's in a new folder, which is returned."""
    key = keys.generate_p256()
    certificate = authority.issue(
        key.public_key(),
        common_name=f"{name}.test",
        organisation="bench",
        usage="tls",
        san_dns=[f"{name}.test"],
        san_ip=["127.0.0.1"],
    )
    keys.save_private(_made(home) / "own.key", key)
    (home / "own.crt").write_bytes(certificates.pem(certificate))
    (home / "ca.crt").write_bytes(certificates.pem(authority.certificate))
    return home


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
