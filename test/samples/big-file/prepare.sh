seq 1 900000 > numbers.txt
: > empty.txt
