"""The runtime of OpenVINO, for CPUs: graphs made by hand or converted from torch, compiled and cached."""
