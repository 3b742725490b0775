#!/usr/bin/env bash
# What we need from Debian. Names it in one line and installs it when that needs no password; else prints the command and stops.
# Arguments: venv fonts browser postgres nginx pdf strace hsm.  SYSTEM=0 forbids installing.
set -eu

need=()
for what in "$@"; do
  case "$what" in
    venv) "${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null || need+=(python3-venv) ;;
    fonts) ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc >/dev/null 2>&1 || need+=(fonts-noto-cjk) ;;
    browser) [ -x /usr/bin/chromium ] || need+=(chromium) ;;
    postgres) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need+=(postgresql) ;;
    pdf) command -v pdftotext >/dev/null || need+=(poppler-utils) ;;
    strace) command -v strace >/dev/null || need+=(strace) ;;
    hsm) command -v softhsm2-util >/dev/null || need+=(softhsm2) ;;
    nginx) [ -x /usr/sbin/nginx ] || need+=(nginx-light) ;;
    *) echo "system.sh: unknown need $what" >&2; exit 2 ;;
  esac
done
[ ${#need[@]} -gt 0 ] || exit 0

command="apt-get install -y --no-install-recommends ${need[*]}"
if [ "${SYSTEM:-1}" = 0 ]; then
  echo "Missing from Debian: ${need[*]}. SYSTEM=0 forbids installing; run as root: $command" >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then root=""; elif sudo -n true 2>/dev/null; then root="sudo -n"; else
  echo "Missing from Debian: ${need[*]}. Run this, then try again: sudo $command" >&2
  exit 1
fi
echo "Installing from Debian: ${need[*]}"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
$root $command -qq >/dev/null
