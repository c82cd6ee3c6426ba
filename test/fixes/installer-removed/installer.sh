set -e
head -c 5000 payload > /opt/installed
