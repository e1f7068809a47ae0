package logging

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// identify names the file behind a path, whatever it is called. The listing of
// a folder does not tell: the file has to be opened.
func identify(path string, _ fs.FileInfo) (identity, error) {
	f, err := openFile(path)
	if err != nil {
		return identity{}, err
	}
	var fi windows.ByHandleFileInformation
	err = windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &fi)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return identity{}, &os.PathError{Op: "identify", Path: path, Err: err}
	}
	return identity{uint64(fi.VolumeSerialNumber), uint64(fi.FileIndexHigh)<<32 | uint64(fi.FileIndexLow)}, nil
}

// openFile opens a file for reading, so that others may rename and remove it
// meanwhile: without that no rotation would work.
func openFile(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
