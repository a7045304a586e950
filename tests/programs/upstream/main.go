// An API on Go's net/http, of which every answer can be checked: main PORT.
//
// Tokens are no business of its own: a gate before it has judged them. What it tells of them it
// reads from the request, so that a program can see how many it has used up.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
)

func main() {
	address := "127.0.0.1:" + os.Args[1]
	log.Fatal(http.ListenAndServe(address, http.HandlerFunc(serve)))
}

// The paths are compared as they are: a mux would clean them first.
func serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/hello":
		w.Header().Set("X-Own", "kept")
		io.WriteString(w, "hello")
	case "/v1/whoami":
		io.WriteString(w, token(r))
	case "/v1/echo":
		echo(w, r)
	case "/v1/redirect":
		w.Header().Set("Location", "echo")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case "/v1/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		packed.Write(pattern(1 << 20))
		packed.Close()
	case "/v1/stream":
		stream(w, r)
	case "/v1/ack":
		waiting(r.URL.Query().Get("id")) <- struct{}{}
	case "/v1/endless":
		endless(w, r)
	case "/v1/trailers":
		trailers(w, r)
	case "/v1/hints":
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "hinted")
	case "/v1/openai/v1/chat/completions":
		complete(w, r)
	default:
		if strings.HasPrefix(r.URL.Path, "/v1/target/") {
			io.WriteString(w, r.RequestURI)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "nothing here")
	}
}

func token(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// pattern is the body that every program here sends and expects.
func pattern(size int) []byte {
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i % 251)
	}
	return body
}

func sum(body []byte) string {
	digest := sha256.Sum256(body)
	return hex.EncodeToString(digest[:])
}

// echo gives the body back, and says how it came.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	framing := "length"
	if r.ContentLength < 0 {
		framing = "chunked"
	}
	w.Header().Set("X-Framing", framing)
	w.Header().Set("X-Sha256", sum(body))
	w.Write(body)
}

// trailers answers with the body's checksum behind it, and with the trailer that came.
func trailers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Checksum, X-Returned")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	io.Copy(w, bytes.NewReader(body))
	w.Header().Set("X-Checksum", sum(body))
	w.Header().Set("X-Returned", r.Trailer.Get("X-Sent"))
}

var (
	acknowledged = map[string]chan struct{}{}
	guard        sync.Mutex
)

func waiting(id string) chan struct{} {
	guard.Lock()
	defer guard.Unlock()
	if acknowledged[id] == nil {
		acknowledged[id] = make(chan struct{}, 8)
	}
	return acknowledged[id]
}

// stream sends three events, the next one only when the one before was seen.
func stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for number := 1; number <= 3; number++ {
		fmt.Fprintf(w, "data: %d\n\n", number)
		w.(http.Flusher).Flush()
		select {
		case <-waiting(r.URL.Query().Get("id")):
		case <-r.Context().Done():
			return
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	piece := pattern(1 << 12)
	for r.Context().Err() == nil {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}
