package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

type question struct {
	Model    string
	Stream   bool
	Messages []struct{ Role, Content string }
}

// complete is OpenAI's chat completion: it says the last message back, word by word if asked to.
// The model "endless" never comes to an end. An answer's id names the token it was asked with.
func complete(w http.ResponseWriter, r *http.Request) {
	var asked question
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, `{"error": {"message": "no JSON"}}`, http.StatusBadRequest)
		return
	}
	said := asked.Messages[len(asked.Messages)-1].Content
	if !asked.Stream {
		choice := map[string]any{"index": 0, "finish_reason": "stop",
			"message": map[string]any{"role": "assistant", "content": said}}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer(r, asked, "chat.completion", choice))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, word := range strings.SplitAfter(said, " ") {
		chunk(w, r, asked, word)
	}
	for asked.Model == "endless" && r.Context().Err() == nil {
		chunk(w, r, asked, "and ")
		time.Sleep(time.Millisecond)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func chunk(w http.ResponseWriter, r *http.Request, asked question, word string) {
	choice := map[string]any{"index": 0, "finish_reason": nil,
		"delta": map[string]any{"content": word}}
	piece, _ := json.Marshal(answer(r, asked, "chat.completion.chunk", choice))
	fmt.Fprintf(w, "data: %s\n\n", piece)
	w.(http.Flusher).Flush()
}

func answer(r *http.Request, asked question, object string, choice any) map[string]any {
	return map[string]any{"id": token(r), "object": object, "model": asked.Model,
		"created": time.Now().Unix(), "choices": []any{choice}}
}
