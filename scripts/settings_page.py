"""Write docs/manuals/operator/settings.md from the declared settings."""

from pathlib import Path

from smartgov.shared.settings import DECLARED

HEAD = """# Settings

Every setting is an environment variable, or a line of the YAML file that `SMARTGOV_CONFIG` names. An unknown
`SMARTGOV_*` name stops the program: a typing error must not pass in silence. This page is made by
`python scripts/settings_page.py` from `smartgov.shared.settings`.

| setting | default | what it does |
|---|---|---|
"""


def page() -> str:
    """The page's text."""
    rows = [f"| `{s.name}` | {f'`{s.default}`' if s.default else '(empty)'} | {s.help} |" for s in DECLARED]
    return HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Write the page."""
    Path("docs/manuals/operator/settings.md").write_text(page())


if __name__ == "__main__":
    main()
