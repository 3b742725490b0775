#!/usr/bin/env bash
# Lays out what the peer tests need in a folder: `bash scripts/peers.sh DIR`, then `SMARTGOV_PEERS=DIR make test-peers`.
set -eu
folder=${1:?the folder for the peers}
mkdir -p "$folder"
# The RFC Editor's XML; the working group keeps the same files.
for number in 9421 9530; do
  [ -f "$folder/rfc$number.xml" ] ||
    curl -fsSo "$folder/rfc$number.xml" "https://www.rfc-editor.org/rfc/rfc$number.xml" ||
    curl -fsSo "$folder/rfc$number.xml" \
      "https://raw.githubusercontent.com/httpwg/httpwg.github.io/HEAD/specs/rfc$number.xml"
done
# GovStack's own suite for an information mediator, and a signature library in another language.
if command -v npm >/dev/null; then
  [ -d "$folder/im" ] ||
    git clone --quiet --depth 1 https://github.com/GovStackWorkingGroup/bb-information-mediator "$folder/im"
  [ -d "$folder/im/test/openAPI/node_modules" ] ||
    npm install --silent --no-fund --no-audit --prefix "$folder/im/test/openAPI"
  [ -d "$folder/signatures/node_modules" ] ||
    npm install --silent --no-fund --no-audit --prefix "$folder/signatures" http-message-signatures@1.0.6
fi
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
