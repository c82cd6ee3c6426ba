module example.org/harbour

go 1.19

require (
	github.com/dustin/go-humanize v1.0.0
	github.com/go-chi/chi/v5 v5.0.7
	github.com/russross/blackfriday/v2 v2.1.0
)
