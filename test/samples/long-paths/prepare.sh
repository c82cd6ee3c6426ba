hundred=$(printf '%0100d' 1)
name=$(printf '%0155d' 2)
echo exactly > "$hundred"
mkdir -p "$name/$hundred/$name"
echo deep > "$name/$hundred/$name/file.txt"
ln -s "$name/$hundred/$name" link
ln "$name/$hundred/$name/file.txt" "$name/hard"
