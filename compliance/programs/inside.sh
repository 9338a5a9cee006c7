#!/bin/sh
# Runs the commands of a file one by one, and tells of each its code, what it wrote and what it said.
cd "$(dirname "$0")" || exit
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LC_ALL=C; unset LANGUAGE LANG TERM SHELL USER LOGNAME
mkdir told
while IFS= read -r command; do
    sh -c "$command" > told/out 2> told/errors < /dev/null
    echo "$? =$(base64 -w0 told/out) =$(base64 -w0 told/errors)"
done < commands
