chmod 0644 dir/plain
chmod 0700 dir/program dir/sub
chmod 0640 dir/shared
chmod 0600 dir/sub/deep
