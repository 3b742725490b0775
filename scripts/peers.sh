#!/usr/bin/env bash
# Lays out what the peer tests need in a folder: `bash scripts/peers.sh DIR`, then `SMARTGOV_PEERS=DIR make test-peers`.
set -eu
folder=${1:?the folder for the peers}
mkdir -p "$folder"
for number in 9421 9530; do
  [ -f "$folder/rfc$number.txt" ] || curl -fsSo "$folder/rfc$number.txt" "https://www.rfc-editor.org/rfc/rfc$number.txt"
done
if [ ! -x "$folder/openfisca/bin/python" ]; then
  "${PYTHON:-python3}" -m venv "$folder/openfisca"
  "$folder/openfisca/bin/pip" install --quiet --disable-pip-version-check "openfisca-core>=46,<47" pyyaml
fi
# Certified OpenID software for Node: two relying parties and a provider.
if [ ! -d "$folder/openid/node_modules/oidc-provider" ] && command -v npm >/dev/null; then
  mkdir -p "$folder/openid"
  npm install --silent --no-fund --no-audit --prefix "$folder/openid" openid-client@6 oauth4webapi@3 oidc-provider@9
fi
# Wallet libraries: @sd-jwt 0.15 and later need a package that is not published.
if [ ! -d "$folder/credentials/node_modules/@openid4vc" ] && command -v npm >/dev/null; then
  mkdir -p "$folder/credentials"
  npm install --silent --no-audit --no-fund --prefix "$folder/credentials" \
    @sd-jwt/sd-jwt-vc@0.14.0 @sd-jwt/jwt-status-list@0.14.0 @openid4vc/openid4vci@0.4.6 @openid4vc/openid4vp@0.4.6 jose@6
fi
