"""The OpenID provider of the platform: storage, people, keys and relying parties for `engines/openid`."""
