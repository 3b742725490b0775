"""Run the mailbox: `python -m smartgov.simulators.mailbox --home DIR --port 8027 --smtp-port 8025`."""

from __future__ import annotations

import argparse
import asyncio

import structlog

from smartgov.engines import httpd
from smartgov.shared import logs
from smartgov.simulators import program
from smartgov.simulators.mailbox.app import MailboxApp, smtp_protocol
from smartgov.simulators.mailbox.store import Mailbox

log = structlog.get_logger()


def main(arguments: list[str] | None = None) -> None:
    """Serve SMTP and the web pages until a signal comes."""
    parser = argparse.ArgumentParser(prog="mailbox", description="Takes e-mail and shows it")
    parser.add_argument("--smtp-port", type=int, default=8025, help="port of the mail server; 0 takes any free one")
    options = program.options(parser, arguments, port=8027)
    logs.configure("simulator-mailbox")
    httpd.run(_serve(Mailbox(options.home), options.port, options.smtp_port))


async def _serve(mailbox: Mailbox, port: int, smtp_port: int) -> None:
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: smtp_protocol(mailbox), "127.0.0.1", smtp_port)
    log.info("smtp_started", port=smtp.sockets[0].getsockname()[1])
    try:
        await program.serve(lambda _: MailboxApp(mailbox), port)
    finally:
        smtp.close()


if __name__ == "__main__":
    main()
