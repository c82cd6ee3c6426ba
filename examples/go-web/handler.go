package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/go-chi/chi/v5"
	"github.com/russross/blackfriday/v2"
)

//go:embed pages/*.md
var pages embed.FS

// ship is what the list holds; tonnage is in kilograms.
type ship struct {
	Name    string `json:"name"`
	Tonnage uint64 `json:"tonnage"`
	Human   string `json:"human,omitempty"`
}

// harbour holds the ships in memory.
type harbour struct {
	mutex sync.Mutex
	ships []ship
}

// newHandler answers all requests; now tells the time.
func newHandler(now func() time.Time) http.Handler {
	h := &harbour{ships: []ship{{Name: "Cutty Sark", Tonnage: 963_000}}}
	router := chi.NewRouter()
	router.Get("/", page("index"))
	router.Get("/about", page("about"))
	router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	router.Get("/ships", h.list)
	router.Post("/ships", h.add)
	router.Get("/time/*", func(w http.ResponseWriter, r *http.Request) {
		zone, err := time.LoadLocation(chi.URLParam(r, "*"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		fmt.Fprintln(w, now().In(zone).Format(time.RFC3339))
	})
	return router
}

// page shows a Markdown file as HTML.
func page(name string) http.HandlerFunc {
	text, err := pages.ReadFile("pages/" + name + ".md")
	if err != nil {
		log.Fatal(err)
	}
	html := blackfriday.Run(text)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(html)
	}
}

func (h *harbour) list(w http.ResponseWriter, _ *http.Request) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	answer := make([]ship, len(h.ships))
	for i, s := range h.ships {
		s.Human = humanize.SI(float64(s.Tonnage)*1000, "g")
		answer[i] = s
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

func (h *harbour) add(w http.ResponseWriter, r *http.Request) {
	var s ship
	body := http.MaxBytesReader(w, r.Body, 1<<16)
	if err := json.NewDecoder(body).Decode(&s); err != nil || s.Name == "" {
		http.Error(w, "a ship needs a name", http.StatusBadRequest)
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.ships = append(h.ships, s)
	w.WriteHeader(http.StatusCreated)
}
