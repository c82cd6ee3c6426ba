mkdir -p dir
echo latin1 > "$(printf 'dir/caf\351')"
long=$(printf '%0200d' 7)
mkdir -p "dir/$long/$long"
echo deep > "dir/$long/$long/$long.txt"
ln -s "$long/$long" dir/long-link
