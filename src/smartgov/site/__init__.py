"""The composition root: settings, urls, menus, flows, the demo country."""
