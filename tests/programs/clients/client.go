// The exercise on Go's net/http, as exercise.py does it: main BASE.
//
// main BASE beside: what only this client shows: trailers both ways, 100 Continue, 103 Early Hints.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"runtime"
	"strings"
	"time"
)

var (
	base   string
	opened int
	// Two connections are enough for all that is done here, one of them held by the stream.
	client = &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
)

func main() {
	base = os.Args[1]
	if len(os.Args) > 2 {
		tell(map[string]any{"trailers": trailers(), "hints": hints(), "expected": expected()})
		return
	}
	report := map[string]any{
		"version":  runtime.Version(),
		"hello":    said(ask("GET", "hello", nil), "X-Own"),
		"missing":  said(ask("GET", "missing", nil), ""),
		"target":   said(ask("GET", "target/a%2Fb;c?dataset%5B%5D=%2A&dataset.separator=.", nil), ""),
		"echo":     []any{echoed(0), echoed(65536), echoed(3<<20 + 1)},
		"chunked":  checked(ask("POST", "echo", io.MultiReader(bytes.NewReader(pattern(2<<20)))), "X-Framing"),
		"gzip":     checked(ask("GET", "gzip", nil), ""),
		"head":     head(),
		"redirect": checked(ask("POST", "redirect", bytes.NewReader(pattern(65536))), ""),
	}
	report["stream"], report["tokens"] = stream()
	report["left"] = left()
	tell(report)
}

func tell(report map[string]any) {
	must(json.NewEncoder(os.Stdout).Encode(report))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func request(ctx context.Context, method, path string, body io.Reader) *http.Request {
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if !got.Reused {
			opened++
		}
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, base+path, body)
	must(err)
	r.Header.Set("Authorization", "Bearer definitely_an_access_token")
	return r
}

func do(r *http.Request) *http.Response {
	answer, err := client.Do(r)
	must(err)
	return answer
}

func ask(method, path string, body io.Reader) *http.Response {
	return do(request(context.Background(), method, path, body))
}

func whole(answer *http.Response) []byte {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	return body
}

func said(answer *http.Response, field string) []any {
	return fields(answer, string(whole(answer)), field)
}

func checked(answer *http.Response, field string) []any {
	return fields(answer, sum(whole(answer)), field)
}

func fields(answer *http.Response, body, field string) []any {
	if field == "" {
		return []any{answer.StatusCode, body}
	}
	return []any{answer.StatusCode, body, answer.Header.Get(field)}
}

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

func echoed(size int) []any {
	return checked(ask("POST", "echo", bytes.NewReader(pattern(size))), "X-Framing")
}

func head() []any {
	answer := ask("HEAD", "hello", nil)
	return []any{answer.StatusCode, len(whole(answer)), answer.Header.Get("Content-Length")}
}

func trailers() []any {
	r := request(context.Background(), "POST", "trailers", io.MultiReader(bytes.NewReader(pattern(1000))))
	r.Trailer = http.Header{"X-Sent": {"behind the body"}}
	answer := do(r)
	body := sum(whole(answer))
	return []any{body, answer.Trailer.Get("X-Checksum"), answer.Trailer.Get("X-Returned")}
}

func hints() []any {
	var early []any
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		early = append(early, code, header.Get("Link"))
		return nil
	}}
	r := request(httptrace.WithClientTrace(context.Background(), trace), "GET", "hints", nil)
	return append(early, string(whole(do(r))))
}

func expected() []any {
	continued := false
	trace := &httptrace.ClientTrace{Got100Continue: func() { continued = true }}
	r := request(httptrace.WithClientTrace(context.Background(), trace), "POST", "echo", bytes.NewReader(pattern(65536)))
	r.Header.Set("Expect", "100-continue")
	body := sum(whole(do(r)))
	return []any{continued, body}
}

// stream has three tokens come and go between its first event and its second.
func stream() ([]string, map[string]any) {
	id := fmt.Sprintf("go-%d", os.Getpid())
	answer := ask("GET", "stream?id="+id, nil)
	defer answer.Body.Close()
	body := bufio.NewReader(answer.Body)
	events := []string{event(body)}
	used := tokens()
	for len(events) < 3 {
		whole(ask("POST", "ack?id="+id, nil))
		events = append(events, event(body))
	}
	whole(ask("POST", "ack?id="+id, nil))
	rest, err := io.ReadAll(body)
	must(err)
	return append(events, string(rest)), used
}

// event is one line and the empty one behind it.
func event(body *bufio.Reader) string {
	line, err := body.ReadString('\n')
	must(err)
	_, err = body.ReadString('\n')
	must(err)
	return strings.TrimSpace(line)
}

func tokens() map[string]any {
	before, requests, used := opened, 0, map[string]bool{}
	for len(used) < 3 {
		answer := ask("GET", "whoami", nil)
		used[fmt.Sprintf("%d %s", answer.StatusCode, whole(answer))] = true
		requests++
		time.Sleep(20 * time.Millisecond)
	}
	return map[string]any{"used": keys(used), "requests": requests, "opened": opened - before}
}

func keys(of map[string]bool) []string {
	var all []string
	for key := range of {
		all = append(all, key)
	}
	return all
}

func left() float64 {
	ctx, leave := context.WithCancel(context.Background())
	answer := do(request(ctx, "GET", "endless", nil))
	_, err := io.ReadFull(answer.Body, make([]byte, 5000))
	must(err)
	at := time.Now()
	leave()
	answer.Body.Close()
	return float64(at.UnixNano()) / 1e9
}
