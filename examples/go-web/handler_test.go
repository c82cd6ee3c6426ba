package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func fixed() time.Time { return time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC) }

func answer(t *testing.T, handler http.Handler, method, path, body string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	return recorder.Code, recorder.Body.String()
}

func TestAnswers(t *testing.T) {
	handler := newHandler(fixed)
	for _, c := range []struct {
		method, path, body string
		code               int
		has                string
	}{
		{"GET", "/", "", 200, "<h1>Harbour</h1>"},
		{"GET", "/ships", "", 200, `"human":"963 Mg"`},
		{"POST", "/ships", `{"tonnage":1}`, 400, "needs a name"},
		{"POST", "/ships", `{"name":"Gorch Fock","tonnage":1760000}`, 201, ""},
		{"GET", "/ships", "", 200, `"human":"1.76 Gg"`},
		{"GET", "/time/Europe/Berlin", "", 200, "2024-07-01T14:00:00+02:00"},
		{"GET", "/time/Atlantis", "", 404, "Atlantis"},
		{"GET", "/nowhere", "", 404, ""},
	} {
		code, body := answer(t, handler, c.method, c.path, c.body)
		if code != c.code || !strings.Contains(body, c.has) {
			t.Errorf("%s %s: %d %q", c.method, c.path, code, body)
		}
	}
}
