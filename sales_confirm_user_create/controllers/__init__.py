from . import activate, portal
