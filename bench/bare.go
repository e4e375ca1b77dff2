package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
)

// bareVariable is set in the environment of a copy of this program that is the
// bare handler.
const bareVariable = "EXPENSE_BENCH_BARE"

// A bareAnswer is what the bare handler writes.
type bareAnswer struct {
	Header http.Header
	Body   []byte
}

// A bareServer is a process that serves the bare handler.
type bareServer struct {
	command *exec.Cmd
	input   io.Closer // ends it when closed
	baseURL string
}

// startBare asks the program for each scene's answer once, and starts a server
// that writes them.
func startBare(scenes []scene, baseURL string) (*bareServer, error) {
	answers := map[string]bareAnswer{}
	for _, s := range scenes {
		// A guest's home page and a person's have one address, and one size of
		// header: each gets its own target.
		answer, err := fetch(baseURL, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		answers[bareKey(s.target, s.who != nil)] = answer
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := pinned(self)
	command.Env = append(command.Env, bareVariable+"=1")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(input).Encode(answers); err != nil {
		return nil, err
	}
	b := &bareServer{command: command, input: input}
	_, err = fmt.Fscanln(output, &b.baseURL)
	return b, err
}

func (b *bareServer) close() {
	b.input.Close()
	_ = b.command.Wait()
}

func bareKey(target string, signedIn bool) string { return target + " " + strconv.FormatBool(signedIn) }

// fetch returns the program's answer to a scene, less the fields that net/http
// writes by itself.
func fetch(baseURL string, s scene) (bareAnswer, error) {
	request, err := http.NewRequest(http.MethodGet, baseURL+s.target, nil)
	if err != nil {
		return bareAnswer{}, err
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Accept-Language", language)
	if s.who != nil {
		request.Header.Set("Cookie", s.who.cookies)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return bareAnswer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return bareAnswer{}, fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	response.Header.Del("Date")
	return bareAnswer{response.Header, body}, nil
}

// serveBare is the bare handler: it reads its answers from input, prints its
// address and serves until input ends.
func serveBare(input io.Reader) error {
	decoder := json.NewDecoder(input)
	var answers map[string]bareAnswer
	if err := decoder.Decode(&answers); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, input)
		os.Exit(0)
	}()
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[bareKey(r.RequestURI, len(r.Header["Cookie"]) > 0)]
		header := w.Header()
		for name, values := range answer.Header {
			header[name] = values
		}
		_, _ = w.Write(answer.Body)
	}))
}
