"""The command line: `smartgov demo` raises and runs a country; the other words run one process or look after it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PROGRAMS = {
    "gateway": ("smartgov.engines.troad.gateway", "an agency's gateway: --home DIR"),
    "trust": ("smartgov.engines.trust.commands", "statements of the holders of T-Road's root keys: vouch"),
    "register": ("smartgov.engines.apigen.server", "an agency's register: --home DIR"),
    "rules": (
        "smartgov.engines.rules.commands",
        "rules of law: check | explain RULE FACTS | calculate FORMULA SITUATION | sweep | what-if",
    ),
    "api": ("smartgov.engines.apilint.cli", "OpenAPI documents: lint FILE | rules"),
    "deid": ("smartgov.engines.deid.cli", "de-identification: run POLICY DATA | check RELEASE | ... (--help)"),
    "phone": ("smartgov.simulators.phone.__main__", "simulator of the mobile identity: --home DIR --port N"),
    "bank": ("smartgov.simulators.bank.__main__", "simulator of the paying bank: --home DIR --port N"),
    "mailbox": ("smartgov.simulators.mailbox.__main__", "simulator of people's mailboxes: --home DIR --port N"),
    "wallet": ("smartgov.simulators.wallet.__main__", "simulator of people's wallets: --home DIR --port N"),
    "library": ("smartgov.simulators.library.__main__", "simulator of a relying party: --home DIR --port N"),
    "timestamp": (
        "smartgov.simulators.timestamp.__main__",
        "simulator of a time-stamping authority: --home DIR --port N",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status is 0 when it did what it says, 1 for a problem, 2 for a wrong command line."""
    given = values_joined(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and given[0] in PROGRAMS:
            return import_module(PROGRAMS[given[0]][0]).main(given[1:]) or 0
        parser = _parser()
        options = parser.parse_args(given)
        if options.run is None:
            parser.print_help()
            return 2
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except Problem as problem:
        return _tell(problem)
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        if not error.filename:
            raise
        return _tell(_unreadable(error))
    except KeyboardInterrupt:
        return 130


def values_joined(given: Sequence[str]) -> list[str]:
    """The words with `--new -x…` as `--new=-x…`: argparse takes a value that begins with a hyphen for an option.

    One thumbprint in 64 does. No verb has options of one hyphen but `-h`.
    """
    joined: list[str] = []
    for word in given:
        value = len(word) > 2 and word[0] == "-" != word[1]
        if value and joined and joined[-1].startswith("--") and "=" not in joined[-1]:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _tell(problem: Problem) -> int:
    for line in (problem.what, problem.why, problem.todo):
        if line.en:
            print(f"{line.zh}  {line.en}", file=sys.stderr)
    return 1


def _unreadable(error: OSError) -> Problem:
    return Problem(
        "file-unusable",
        422,
        what=Text(f"{error.filename} cannot be used.", f"無法使用 {error.filename}。"),
        why=Text(f"The system says: {error.strerror}.", f"系統訊息：{error.strerror}。"),
        todo=Text("See whether the path and its rights are right.", "請確認路徑與存取權限。"),
    )


def _parser() -> argparse.ArgumentParser:
    programs = "\n".join(f"  {name:<10} {text}" for name, (_, text) in PROGRAMS.items())
    parser = argparse.ArgumentParser(
        prog="smartgov",
        description="The open platform on which a smart government runs.",
        epilog=f"single programs, with their own options (--help):\n{programs}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=None)
    verbs = parser.add_subparsers(metavar="verb")
    for name, run, text in (
        ("demo", _demo, "raise a synthetic country if there is none, and run it"),
        ("up", _up, "run the country that is there"),
    ):
        verb = verbs.add_parser(name, help=text)
        _add_home(verb)
        verb.add_argument("--port", type=int, default=8000, help="first of 60 ports; the page answers on it")
        verb.add_argument("--split", metavar="AGENCY", help="run one agency as a web process and database of its own")
        verb.set_defaults(run=run)
        if name == "demo":
            verb.add_argument("--people", type=int, default=10_000, help="people in the village (tests take fewer)")
            verb.add_argument("--seed", default="smartgov", help="another seed gives another village")
    for name, run, text in (
        ("web", _web, "the web process of this environment"),
        ("worker", _worker, "the worker of this environment"),
        ("publish", _publish, "sign the configuration of T-Road anew and hand it to the gateways"),
        ("doctor", _doctor, "say what is missing on this machine, and how to mend it"),
        ("settings", _settings, "list every setting with its present value"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.set_defaults(run=run)
        if name in {"publish", "doctor"}:
            _add_home(verb)
        if name == "doctor":
            verb.add_argument("--port", type=int, default=8000, help="first of the ports that the demo would use")
    _add_population(verbs)
    _add_verify(verbs)
    return parser


def _add_home(parser: argparse.ArgumentParser) -> None:
    home = Path(os.environ.get("SMARTGOV_HOME", "var"))
    parser.add_argument("--home", type=Path, default=home, help="the country's folder (default: SMARTGOV_HOME or var)")


def _add_population(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser(
        "population",
        help="write a synthetic country as Parquet, or print one village's registers",
        description="With --villages and --out: a whole country, in parts; the same command goes on where it stopped.",
    )
    verb.add_argument("--villages", type=int, help="villages of 10,000 people to write (2340 make 23.4 million)")
    verb.add_argument("--out", type=Path, help="the country's folder")
    verb.add_argument("--on", type=date.fromisoformat, help="day of the country, YYYY-MM-DD (default: today)")
    verb.add_argument("--jobs", type=int, default=2, help="processes that write")
    verb.add_argument("--village", type=int, default=0, help="number of the one village to print")
    verb.add_argument("--people", type=int, default=10_000, help="people in that village")
    verb.add_argument("--seed", default="smartgov", help="seed of the country")
    verb.add_argument("--to", type=Path, help="write that village's <agency>.<table>.jsonl into this folder")
    verb.set_defaults(run=_population)


def _add_verify(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser(
        "verify", help="check a sealed certificate (.pdf), evidence (.json), an archive (.gz) or a gateway's log"
    )
    verb.add_argument("what", type=Path, help="a PDF, a bundle, an archive, or the home folder of a gateway")
    verb.add_argument(
        "--anchors",
        type=Path,
        help="for a bundle or an archive: folder with root.json, tsa.pem, heads/*.note, members.json",
    )
    _add_home(verb)
    verb.set_defaults(run=_verify)


def _demo(options: argparse.Namespace) -> int:
    from smartgov.site.supervise import console

    return console.demo(
        options.home, port=options.port, split=options.split, people=options.people, seed=options.seed.encode()
    )


def _up(options: argparse.Namespace) -> int:
    from smartgov.site.supervise import console

    return console.up(options.home, port=options.port, split=options.split)


def _web(options: argparse.Namespace) -> int:
    from smartgov.site.supervise import programs

    program = programs.web_command()
    os.execve(program[0], program, dict(os.environ))  # noqa: S606 - becomes the server, so that signals reach it


def _worker(options: argparse.Namespace) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartgov.site.settings")
    import django
    from django.core.management import call_command

    from smartgov.shared import logs

    logs.configure("worker")
    django.setup()
    call_command("worker")
    return 0


def _publish(options: argparse.Namespace) -> int:
    _set_up_django(options.home)
    from smartgov.blocks.exchange import api as exchange

    print(f"in force until {exchange.publish(actor=exchange.PUBLISHER):%Y-%m-%d %H:%M %Z}")
    return 0


def _set_up_django(home: Path) -> None:
    """The settings, tables and blocks of the process whose home this is."""
    os.environ["SMARTGOV_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartgov.site.settings")
    import django

    django.setup()


def _doctor(options: argparse.Namespace) -> int:
    from smartgov.site.supervise import doctor

    return doctor.report(options.home, options.port)


def _settings(options: argparse.Namespace) -> int:
    from smartgov.shared import settings

    for setting in settings.DECLARED:
        print(f"{setting.name}={settings.get(setting.name)}\n    {setting.help}")
    return 0


def _population(options: argparse.Namespace) -> int:
    from smartgov.site.country import listing, whole

    if (options.villages is None) != (options.out is None):
        raise whole.HALF_A_COMMAND
    if options.villages is not None:
        return whole.write(options.out, options.villages, options.seed, options.on, options.jobs)
    listing.write(options.seed.encode(), options.village, options.people, options.to)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from smartgov.site.country import checking

    return checking.verify(options.what, options.home, options.anchors)


if __name__ == "__main__":
    sys.exit(main())
