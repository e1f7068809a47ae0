package fn

import "datakit.dev/internal/point"

// message is the key that a script may call "_".
const message = "message"

// KeyName returns the key that name stands for: "_" is the message.
func KeyName(name string) string {
	if name == "_" {
		return message
	}
	return name
}

// Load returns the point's tag or field key as a script sees it: there is no
// unsigned int and no bytes in the language, and a list or a map of the point,
// which no script can have written, reads as nil.
func (r *Run) Load(key string) (point.Value, bool) {
	key = KeyName(key)
	v, ok := r.Point.Field(key)
	if !ok {
		if tag, ok := r.Point.Tag(key); ok {
			return point.StringOf(tag), true
		}
		return point.NilOf(), false
	}
	switch v.Kind() { //nolint:exhaustive // the others are as they are
	case point.Uint:
		return point.IntOf(int64(v.Uint())), true
	case point.Bytes:
		return point.StringOf(string(v.Bytes())), true
	case point.List, point.Map:
		return point.NilOf(), true
	}
	return v, true
}

// Store writes key as a script does: what is a tag stays one and takes the
// value's text; a list or a map becomes its JSON text, or nil where it has none.
func (r *Run) Store(key string, v point.Value) { r.StoreAmong(len(r.Point.Fields), key, v) }

// StoreAmong is Store of a key that none of the point's fields after the first n
// has: a function that writes many keys, all different, need not look for one
// among the others.
func (r *Run) StoreAmong(n int, key string, v point.Value) {
	key = KeyName(key)
	if len(r.Point.Tags) > 0 {
		if _, ok := r.Point.Tag(key); ok {
			r.Point.SetTag(key, TextOf(v))
			return
		}
	}
	if k := v.Kind(); k == point.List || k == point.Map {
		text, err := JSON(v)
		if err != nil {
			v = point.NilOf()
		} else {
			v = point.StringOf(text)
		}
	}
	r.Point.SetAmong(n, key, v)
}

// StoreTag writes key as a tag with v's text; a field of that key is gone.
func (r *Run) StoreTag(key string, v point.Value) {
	key = KeyName(key)
	r.Point.Del(key)
	r.Point.SetTag(key, TextOf(v))
}

// Delete removes the tag or field key.
func (r *Run) Delete(key string) {
	key = KeyName(key)
	if !r.Point.DelTag(key) {
		r.Point.Del(key)
	}
}

// Rename gives the tag or field from the key to, which loses what it held. A tag
// stays a tag. A key that is not there is passed over.
func (r *Run) Rename(from, to string) {
	from, to = KeyName(from), KeyName(to)
	if from == to {
		return
	}
	if tag, ok := r.Point.Tag(from); ok {
		r.Point.DelTag(from)
		r.Delete(to)
		r.Point.SetTag(to, tag)
		return
	}
	if v, ok := r.Point.Field(from); ok {
		r.Point.Del(from)
		r.Delete(to)
		r.Point.Set(to, v)
	}
}
