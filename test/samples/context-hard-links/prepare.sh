mkdir dir/sub
ln dir/a.txt dir/b.txt
ln dir/a.txt dir/sub/c.txt
