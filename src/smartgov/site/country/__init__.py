"""Building the homes of one country: the centre, gateways, registers, simulators, the web's keys, and who is in it."""

from smartgov.site.country.build import is_raised, raise_country
from smartgov.site.country.centre import configure
from smartgov.site.country.ports import Ports

__all__ = ["Ports", "configure", "is_raised", "raise_country"]
