from . import portal, team
