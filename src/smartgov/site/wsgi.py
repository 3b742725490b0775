"""The WSGI application that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from smartgov.shared import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartgov.site.settings")
logs.configure("web")
pages = get_wsgi_application()
from smartgov.site.machine_doors import MachineDoors  # noqa: E402 - the doors are known once Django is set up

application = MachineDoors(pages)
# What is loaded by now stays for good: the collector need not walk through all of it again and again.
gc.collect()
gc.freeze()
