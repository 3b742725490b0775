"""Which blocks this site runs: all of them, less the optional ones left out and those that need them."""

from __future__ import annotations

# Low to high: a block may import the api of lower ones only (contracts in pyproject.toml).
REQUIRED = ("ops", "audit", "directory", "identity", "exchange")
OPTIONAL = ("notify", "payments", "credentials", "signing", "mydata", "services", "cases")
NEEDS: dict[str, tuple[str, ...]] = {
    "services": ("notify", "mydata"),
    "cases": ("notify", "payments", "credentials"),
}
# Blocks of one side only: a process whose SMARTGOV_ROLES has no part on that side leaves them out.
SIDES = {
    "portal": ("mydata", "services"),
    "agency": ("payments", "credentials", "cases"),
}
# T-Road service codes that a web process answers, and the block whose `troad` module holds the doors.
DOORS = {"services.v1": "services", "cases.v1": "cases", "credentials.v1": "credentials", "exchange.v1": "exchange"}


def chosen_for(roles: frozenset[str], off: str) -> tuple[str, ...]:
    """The blocks of a process that plays `roles` (none named: all of them), less those left out by `off`."""
    if not roles:
        return chosen(off)
    sides = {role.split(":")[0] for role in roles}
    absent = [name for side, names in SIDES.items() if side not in sides for name in names]
    return chosen(",".join([off, *absent]))


def chosen(off: str) -> tuple[str, ...]:
    """The blocks to install when the comma list `off` is left out; a required or unknown name is refused."""
    left_out = {name.strip() for name in off.split(",") if name.strip()}
    if wrong := left_out - set(OPTIONAL):
        raise ValueError(f"SMARTGOV_BLOCKS_OFF names {', '.join(sorted(wrong))}; optional are {', '.join(OPTIONAL)}")
    changed = True
    while changed:
        changed = False
        for name, needs in NEEDS.items():
            if name not in left_out and left_out.intersection(needs):
                left_out.add(name)
                changed = True
    return tuple(name for name in REQUIRED + OPTIONAL if name not in left_out)
