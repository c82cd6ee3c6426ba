mkdir -p dir/sticky dir/setgid dir/closed
for mode in 0000 0200 0400 0666 0777 1644 2755 4755 6711; do echo "$mode" > "dir/f$mode"; chmod "$mode" "dir/f$mode"; done
echo s > dir/setuid; chmod 4755 dir/setuid
echo t > dir/sticky/t
chmod 1777 dir/sticky
chmod 2775 dir/setgid
chmod 0500 dir/closed
mkfifo -m 0640 dir/pipe
