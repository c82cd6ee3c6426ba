mkdir -p dir/olddir
touch -d '1970-01-01T00:00:00Z' dir/epoch
touch -d '1999-12-31T23:59:59Z' dir/old
touch -d '2001-02-03T04:05:06.123456789Z' dir/nanoseconds
ln -s old dir/link
touch -h -d '2002-02-02T02:02:02Z' dir/link
echo x > dir/olddir/x
touch -d '2003-03-03T03:03:03Z' dir/olddir
