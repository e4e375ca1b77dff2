package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"expense-dashboard/internal/secret"
)

// stateKey seals and opens states, and derives what belongs to them.
type stateKey struct {
	sealing    cipher.AEAD
	derivation []byte
}

// sealedLogin is what a state holds. It is nobody's to read or to change but ours.
type sealedLogin struct {
	Browser string    `json:"b"` // browserID of the secret that belongs to it
	Begun   time.Time `json:"t"`
	Request `json:"q"`
}

func newStateKey(s secret.Text) (stateKey, error) {
	key, err1 := deriveKey(s, "state")
	derivation, err2 := deriveKey(s, "derivation")
	if err := errors.Join(err1, err2); err != nil {
		return stateKey{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return stateKey{}, fmt.Errorf("key for states: %w", err)
	}
	sealing, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return stateKey{}, fmt.Errorf("key for states: %w", err)
	}
	return stateKey{sealing: sealing, derivation: derivation}, nil
}

// seal makes a state, which no other is equal to: 96 bits of it are random.
func (k stateKey) seal(login sealedLogin) (string, error) {
	plain, err := json.Marshal(login)
	if err != nil {
		return "", fmt.Errorf("seal a state: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(k.sealing.Seal(nil, nil, plain, nil)), nil
}

// open reads a state that seal has made with this key. There is one way to write
// each state.
func (k stateKey) open(state string) (sealedLogin, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(state)
	if err != nil || base64.RawURLEncoding.EncodeToString(sealed) != state {
		return sealedLogin{}, errors.New("the state is malformed")
	}
	plain, err := k.sealing.Open(nil, nil, sealed, nil)
	if err != nil {
		return sealedLogin{}, errors.New("the state was not made with this key")
	}
	var login sealedLogin
	if err := json.Unmarshal(plain, &login); err != nil {
		return sealedLogin{}, errors.New("the state is of another form")
	}
	return login, nil
}
