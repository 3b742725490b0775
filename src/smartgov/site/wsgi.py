"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from smartgov.shared import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartgov.site.settings")
logs.configure("web")
application = get_wsgi_application()
